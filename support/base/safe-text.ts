import type { Variables } from './interpolate';

/** Names of variables whose values are secret: GOOGLE_TRANSLATE_API_KEY, DOCKER_AUTH_CONFIG, NPM_TOKEN … */
const SECRET_NAME =
  /(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|AUTH|AUTH_CONFIG)$/i;
/** Shorter values, and common words, occur in too many unrelated texts. */
const SHORTEST = 6;
const COMMON_WORD = /^(?:true|false|default|disabled|enabled|required)$/i;

/** Text after these is hidden wherever it occurs. Each expression takes linear time. */
const SECRET_PLACES: readonly RegExp[] = [
  // user:password@ of a URL; a name alone may be a token
  /(:\/\/)[^/\s?#"'<>]+(?=@)/g,
  /([?&](?:key|api_?key|token|access_token|auth|password|secret|signature)=)[^&\s"'<>#]+/gi,
  /((?:^|\s)--?[\w-]{0,40}(?:key|token|secret|password)[= ])[^\s"']+/gi,
  /(\bauthorization["']?\s{0,9}:\s{0,9}["']?(?:[a-z]{1,20}\s)?)[^\s"',]+/gi,
];

const HIDDEN = '***';

/** The longest first, as one may be part of another. */
let secrets: string[] = [];

/** From now on the values of variables that are secret by their names, or in URLs, are hidden by {@link withoutSecrets}. */
export function hideSecretsOf(variables: Variables): void {
  for (const [name, value = ''] of Object.entries(variables)) {
    if (SECRET_NAME.test(name)) hide(value);
    const [, user = '', password = ''] = /:\/\/([^/\s:@]*):([^/\s]+)@/.exec(value) ?? [];
    if (password === '') continue;
    hide(password);
    hide(decoded(password));
    hide(Buffer.from(`${decoded(user)}:${decoded(password)}`).toString('base64'));
  }
}

function hide(value: string): void {
  if (value.length < SHORTEST || COMMON_WORD.test(value)) return;
  // As it is written in a URL, and in JSON.
  const inUrl = encodeURIComponent(Buffer.from(value).toString());
  const inJson = JSON.stringify(value).slice(1, -1);
  secrets = [...new Set([...secrets, value, inUrl, inJson])].sort((a, b) => b.length - a.length);
}

/** A text without passwords, keys and tokens: everything written to evidence, logs and reports goes through here. */
export function withoutSecrets(text: string): string {
  const named = secrets.reduce((seen, secret) => seen.replaceAll(secret, HIDDEN), text);
  return SECRET_PLACES.reduce((seen, place) => seen.replace(place, `$1${HIDDEN}`), named);
}

/**
 * A text that can be shown: without secrets, and with an escape such as `\u001b` for every character that would control
 * a terminal, change the direction of writing, or is not allowed in XML. Line feeds and tabs stay.
 */
export function safeText(text: string): string {
  return (
    withoutSecrets(text)
      .replace(/\r\n?/g, '\n')
      // It ends a CDATA section; of two in one text, Cucumber's JUnit report escapes only the first.
      .replaceAll(']]>', ']]\\u003e')
      .replace(
        /[^\P{Cc}\n\t]|\p{Cs}|[\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
  );
}

/** For JSON.stringify: hides secrets in all strings of the value. */
export function hidingSecrets(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? withoutSecrets(value) : value;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // It is not percent-encoded.
    return text;
  }
}
