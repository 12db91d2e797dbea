/** @returns bytes in use on this process's heap after a collection; needs `--expose-gc` */
export function heapInUse(): number {
  // Twice: what the first one frees may free more.
  global.gc!();
  global.gc!();
  return process.memoryUsage().heapUsed;
}
