/** Writes a line for whoever runs a command; results go to standard output. */
export const say = (line: string): void => void process.stderr.write(`${line}\n`);
