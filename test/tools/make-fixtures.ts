/** `npm run fixtures -- <name>`: regenerates a file that tests, benchmarks or the codec use. */
import { writeExpectations } from './codec-expectations.ts';
import { trainClassifier } from './digit-classifier.ts';

const FIXTURES: Readonly<
  Record<string, { make(log: (line: string) => void): Promise<void>; help: string }>
> = {
  'codec-expectations': {
    make: writeExpectations,
    help: "the codec's expectations of a stream, learned from gardens of four seeds",
  },
  'digit-classifier': {
    make: trainClassifier,
    help: 'the classifier that judges drawings in a test, trained on MNIST',
  },
};

const [name, ...more] = process.argv.slice(2);
if (name === undefined || more.length > 0 || !Object.hasOwn(FIXTURES, name)) {
  const lines = Object.entries(FIXTURES).map(([one, { help }]) => `  ${one.padEnd(20)}${help}`);
  console.error(['npm run fixtures -- <name>', '', ...lines].join('\n'));
  process.exit(1);
}
await FIXTURES[name].make(console.log);
