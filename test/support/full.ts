/** What `npm run test:full` runs whole, and `npm test` in a shorter form. */

export const isFull = process.env.VIVARIUM_TEST_FULL === '1';

const none = Object.assign(() => {}, { each: () => () => {} });

/** A test of full runs alone; a comment beside it names the shorter one that `npm test` has. */
export const fullTest = (isFull ? test : none) as typeof test;
