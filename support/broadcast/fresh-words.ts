/** Sentences that nobody can know before a run: composed from its seed, of words that are recognised and translated well. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

import type { Keyword } from './fixture';

/** What requests call the broadcast of these words, in place of a file in fixtures/. */
export const FRESH_WORDS = 'fresh-words';
/** Two segments. */
export const FRESH_WORDS_SECONDS = 12;

/** What is said in each segment, and by which words it can be told; all three have one entry a segment. */
export interface FreshWords {
  script: string[];
  /** The same in Spanish. */
  translation: string[];
  keywords: Keyword[][];
  /** Spanish words that deny; no sentence has one. */
  denials: string[];
}

/** Only those that are spelled like nothing else in a sentence of this kind. */
const DENIALS = [
  ...['no', 'nunca', 'jamás', 'tampoco', 'sin', 'nada', 'nadie', 'ni'],
  ...['ningún', 'ninguno', 'ninguna', 'ningunos', 'ningunas'],
];

/**
 * English words by all right Spanish ones, the usual form of each first. None is the same in both languages. Each is spoken,
 * recognised (Whisper tiny.en and base), translated (Apertium), and heard again (Kokoro, Whisper base) right in sentences of
 * this kind.
 */
type Words = readonly (readonly [english: string, spanish: string])[];

const ANIMALS: Words = [
  ['horses', 'caballos'],
  ['dogs', 'perros'],
  ['cats', 'gatos'],
  ['cows', 'vacas'],
  ['elephants', 'elefantes'],
  ['monkeys', 'monos simios changos micos'],
  ['bears', 'osos'],
  ['frogs', 'ranas'],
  ['spiders', 'arañas'],
  ['camels', 'camellos'],
  ['penguins', 'pingüinos'],
  ['butterflies', 'mariposas'],
  ['eagles', 'águilas'],
  ['goats', 'cabras'],
  ['squirrels', 'ardillas'],
  ['turtles', 'tortugas'],
];
const COLOURS: Words = [
  ['red', 'rojos rojas rojo roja'],
  ['blue', 'azules azul'],
  ['green', 'verdes verde'],
  ['yellow', 'amarillos amarillas amarillo amarilla'],
  ['white', 'blancos blancas blanco blanca'],
  ['black', 'negros negras negro negra'],
  ['brown', 'marrones marrón cafés café pardos pardas castaños castañas'],
  ['pink', 'rosas rosa rosados rosadas'],
  ['purple', 'morados moradas púrpuras púrpura violetas violeta'],
];
const OBJECTS: Words = [
  ['books', 'libros'],
  ['chairs', 'sillas'],
  ['tables', 'mesas'],
  ['windows', 'ventanas'],
  ['houses', 'casas'],
  ['trees', 'árboles'],
  ['flowers', 'flores'],
  ['trains', 'trenes'],
  ['bicycles', 'bicicletas bicis'],
  ['hats', 'sombreros gorros'],
  ['guitars', 'guitarras'],
  ['umbrellas', 'paraguas sombrillas'],
  ['bridges', 'puentes'],
  ['candles', 'velas'],
  ['knives', 'cuchillos'],
  ['towers', 'torres'],
  ['blankets', 'mantas cobijas frazadas'],
  ['coins', 'monedas'],
  ['buses', 'autobuses'],
  ['boxes', 'cajas'],
  ['newspapers', 'periódicos diarios'],
  ['photographs', 'fotografías fotos'],
];
const FOODS: Words = [
  ['apples', 'manzanas'],
  ['lemons', 'limones'],
  ['tomatoes', 'tomates jitomates'],
  ['potatoes', 'patatas papas'],
  ['eggs', 'huevos'],
  ['pineapples', 'piñas ananás'],
  ['oranges', 'naranjas'],
  ['cherries', 'cerezas'],
  ['strawberries', 'fresas frutillas'],
  ['peaches', 'melocotones duraznos'],
  ['cookies', 'galletas'],
  ['cakes', 'pasteles tartas tortas'],
  ['olives', 'aceitunas olivas'],
];
/** The end of the plural is hard to hear before "found". */
const PEOPLE: Words = [
  ['doctors doctor', 'doctores doctoras médicos médicas doctora médico médica'],
  [
    'teachers teacher',
    'profesores profesoras maestros maestras profesor profesora maestro maestra',
  ],
  [
    'farmers farmer',
    'agricultores granjeros labradores campesinos agricultor granjero labrador campesino',
  ],
  ['soldiers soldier', 'soldados militares soldado militar'],
  ['nurses nurse', 'enfermeras enfermeros enfermera enfermero'],
  ['students student', 'estudiantes alumnos alumnado estudiante alumno alumna'],
  ['painters painter', 'pintores pintoras pintor pintora'],
  ['sailors sailor', 'marineros marinos marinero marino'],
  ['pilots pilot', 'pilotos piloto'],
  ['engineers engineer', 'ingenieros ingenieras ingeniero ingeniera'],
  ['children', 'niños'],
  ['dancers dancer', 'bailarines bailarinas bailarín bailarina'],
  ['firefighters firefighter', 'bomberos bombero bombera'],
  ['musicians musician', 'músicos músicas músico'],
  ['gardeners gardener', 'jardineros jardineras jardinero jardinera'],
];
const PLACES: Words = [
  ['London', 'Londres'],
  ['Moscow', 'Moscú'],
  ['Brazil', 'Brasil'],
  ['Egypt', 'Egipto'],
  ['Italy', 'Italia'],
  ['Germany', 'Alemania'],
  ['Japan', 'Japón'],
  ['France', 'Francia'],
  ['Russia', 'Rusia'],
  ['Ireland', 'Irlanda'],
  ['Spain', 'España'],
  ['Poland', 'Polonia'],
  ['Norway', 'Noruega'],
  ['Switzerland', 'Suiza'],
  ['Scotland', 'Escocia'],
  ['Belgium', 'Bélgica'],
  ['Finland', 'Finlandia'],
  ['Denmark', 'Dinamarca'],
  ['Ukraine', 'Ucrania'],
];

const UNITS = ['', '', 'two', 'three', '', '', 'six', 'seven', 'eight', 'nine'];
const TENS = ['', '', '', 'thirty', '', 'fifty', 'sixty', 'seventy', 'eighty'];
/**
 * Of two words each. Without those that are not always heard as one number ("seventy-five" as "7-5", "eighty-nine" as "8-9"),
 * as another one (thirteen and thirty, "were forty"), or as one word ("y noventa"); that Spanish bends by what is counted
 * (treinta y un, treinta y una); or that it writes in several ways (veintidós, veinte y dos).
 */
const NUMBERS = [30, 50, 60, 70, 80]
  .flatMap((tens) => [2, 3, 6, 7, 8, 9].map((units) => tens + units))
  .filter((value) => value !== 89);

/** One that was drawn: as it is said, in Spanish, and as a keyword. */
interface Drawn {
  english: string;
  spanish: string;
  keyword: Keyword;
}

/**
 * Composes two segments. All numbers, places and objects in them are different, so that the words of one segment do not
 * do for the other. Each is one of 50 million.
 *
 * @param seed the same gives the same sentences; 0 to 2^31 - 1
 */
export function composeFreshWords(seed: number): FreshWords {
  const random = xoroshiro128plus(seed);
  const draw = <T>(from: readonly T[], count: number): T[] => {
    const left = [...from];
    return Array.from({ length: count }, () =>
      left.splice(uniformInt(random, 0, left.length - 1), 1),
    ).flat();
  };
  const words = (from: Words, count: number): Drawn[] => draw(from, count).map(word);
  const [many, some, few, more] = draw(NUMBERS, 4).map(number) as Four;
  const [here, there] = words(PLACES, 2) as Two;
  const [seen, found] = words(OBJECTS, 2) as Two;
  const [animals, colour, people, food] = [ANIMALS, COLOURS, PEOPLE, FOODS].flatMap((from) =>
    words(from, 1),
  ) as Four;
  return {
    script: [
      `There were ${many.english} ${colour.english} ${animals.english} and ${some.english} ${seen.english} in ${here.english}.`,
      `The ${people.english} found ${few.english} ${found.english} and ${more.english} ${food.english} in ${there.english}.`,
    ],
    translation: [
      `Había ${many.spanish} ${animals.spanish} ${colour.spanish} y ${some.spanish} ${seen.spanish} en ${here.spanish}.`,
      `Los ${people.spanish} encontraron ${few.spanish} ${found.spanish} y ${more.spanish} ${food.spanish} en ${there.spanish}.`,
    ],
    keywords: [
      [many, colour, animals, some, seen, here].map(({ keyword }) => keyword),
      [people, few, found, more, food, there].map(({ keyword }) => keyword),
    ],
    denials: DENIALS,
  };
}

type Two = [Drawn, Drawn];
type Four = [Drawn, Drawn, Drawn, Drawn];

function word([english, spanish]: Words[number]): Drawn {
  const [said, translated] = [english.split(' '), spanish.split(' ')];
  return {
    ...{ english: said[0] ?? '', spanish: translated[0] ?? '' },
    keyword: { said, translated },
  };
}

function number(value: number): Drawn {
  const english = `${TENS[Math.floor(value / 10)]}-${UNITS[value % 10]}`;
  const figure = String(value);
  return { english, spanish: figure, keyword: { said: [figure], translated: [figure] } };
}
