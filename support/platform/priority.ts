/** The least that threads and processes can have (nice): what is measured can wait, broadcasts that are dubbed meanwhile cannot. */
export const ANALYSIS_PRIORITY = 19;

/** Of decoders, for which all the rest of an analysis waits: before that, and far behind what is live. */
export const DECODER_PRIORITY = 15;

/** The same of a container, beside others with 1024: the weight that Linux gives to that priority. */
export const ANALYSIS_CPU_SHARES = 15;
