/** Number of running worker threads of this process. */
export const threads = (): number =>
  (process.report.getReport() as unknown as { readonly workers: readonly unknown[] }).workers
    .length;
