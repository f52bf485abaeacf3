/** The least that threads and processes can have (nice): what is measured can wait, broadcasts that are dubbed meanwhile cannot. */
export const ANALYSIS_PRIORITY = 19;

/** The same of a container, beside others with 1024: the weight that Linux gives to that priority. */
export const ANALYSIS_CPU_SHARES = 15;
