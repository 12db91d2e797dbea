/** Worker threads of this process that have not ended. */
export const threads = (): number =>
  (process.report.getReport() as unknown as { readonly workers: readonly unknown[] }).workers
    .length;
