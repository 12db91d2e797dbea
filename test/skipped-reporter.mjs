// @ts-check
/** Lists at the end of a run what was left out, with the reason that stands in its title. */
export default class SkippedReporter {
  /** @param {{ testNamePattern?: string }} config */
  constructor(config) {
    this.isWhole = !config.testNamePattern;
  }

  /**
   * @param {unknown} _contexts
   * @param {{ testResults: { testResults: { status: string, fullName: string }[] }[] }} results
   */
  onRunComplete(_contexts, { testResults }) {
    if (!this.isWhole) return;
    const skipped = testResults.flatMap((file) =>
      file.testResults
        .filter(({ status }) => status === 'pending' || status === 'todo')
        .map(({ fullName }) => fullName),
    );
    if (skipped.length === 0) return;
    console.log(`\nLeft out:\n${skipped.map((name) => `  ${name}`).join('\n')}`);
  }
}
