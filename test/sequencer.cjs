/** Which test files begin first: those that take long, so that no core idles at the end beside the last of them. */
const { default: Sequencer } = require('@jest/test-sequencer');

/** Small files that take long; otherwise size tells. */
const LONG = [
  'browser/baselines',
  'integration/fairness',
  'unit/engine/engines',
  'unit/engine/golden',
  'unit/shared/garden',
  'unit/client/flash-guard',
];
/** Of most files of a kind. */
const KINDS = ['browser', 'integration', 'unit'];

const rankOf = (path) =>
  LONG.some((long) => path.includes(`/test/${long}`))
    ? 0
    : KINDS.findIndex((kind) => path.includes(`/test/${kind}/`));

module.exports = class extends Sequencer {
  sort(tests) {
    const sized = super.sort(tests);
    return [...sized].sort((a, b) => rankOf(a.path) - rankOf(b.path));
  }
};
