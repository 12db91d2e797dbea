import * as g from '../../../../server/training/autodiff/graph.ts';
import { createOnnxCompute } from '../../../../server/training/autodiff/onnx.ts';
import { beginWithMorphogens, type Wave } from '../../../../server/training/model/morphogens.ts';
import { initialise, parameterInputs } from '../../../../server/training/model/parameters.ts';
import { ruleSteps } from '../../../../server/training/model/rule.ts';
import { updateShapes } from '../../../../server/vnca/architecture.ts';
import type { Card } from '../../../../server/vnca/card.ts';
import { createRandom } from '../../../../shared/random.ts';
import { evaluate } from '../autodiff/contract.ts';

const SIDE = 12;
const CHANNELS = 10;
const WAVES: Wave[] = [
  { from: 'left', period: 24 },
  { from: 'right', period: 24 },
  { from: 'bottom', period: 7 },
];
const FIRST = 2;

const spec = (kind: 'residual' | 'simple', leak: number) => ({
  channels: CHANNELS,
  latentSize: CHANNELS,
  update: {
    kind,
    hidden: 9,
    leak,
    standingInput: false,
    updateProbability: 1,
    outBias: true,
  } as Card['update'],
});

async function afterSteps(
  rule: ReturnType<typeof spec>,
  steps: number,
  start = new Float32Array(SIDE * SIDE * CHANNELS),
): Promise<Float32Array> {
  const shapes = updateShapes(rule);
  const tensors = initialise(shapes, createRandom(4));
  beginWithMorphogens(rule, tensors, WAVES, FIRST);
  const step = ruleSteps(rule.update, parameterInputs(shapes));
  const shape = [1, SIDE, SIDE, CHANNELS];
  let states = g.inputMap('states', shape);
  for (let i = 0; i < steps; i++) states = step(states);
  const given = [...tensors].map(([name, tensor]) => [`parameter:${name}`, tensor]);
  const inputs = { ...Object.fromEntries(given), states: { shape, data: start } };
  return (await evaluate(createOnnxCompute({ threads: 1 }), { states }, inputs)).states;
}

/** Distance of a cell from a wave's edge, from 1. */
const distance = ({ from }: Wave, x: number, y: number): number =>
  ({ left: x + 1, right: SIDE - x, top: y + 1, bottom: SIDE - y })[from];

function expectPhases(states: Float32Array, reached: number): void {
  WAVES.forEach((wave, w) => {
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        const cells = distance(wave, x, y);
        if (cells > reached) continue;
        const angle = (2 * Math.PI * cells) / wave.period;
        const at = (y * SIDE + x) * CHANNELS + FIRST + 2 * w;
        expect(states[at]).toBeCloseTo(Math.cos(angle) - 1, 3);
        expect(states[at + 1]).toBeCloseTo(Math.sin(angle), 3);
      }
    }
  });
}

describe.each([
  ['residual', 0.5],
  ['residual', 0],
  ['simple', 0.3],
] as const)('morphogens of an untrained rule (%s, leak %d)', (kind, leak) => {
  it('run inwards from their edges, a cell a step', async () => {
    expectPhases(await afterSteps(spec(kind, leak), 5), 5);
  });

  it('tell every cell where it is once they have crossed the patch, whatever was there before', async () => {
    const random = createRandom(8);
    const start = Float32Array.from({ length: SIDE * SIDE * CHANNELS }, () => random.uniform());
    expectPhases(await afterSteps(spec(kind, leak), SIDE, start), SIDE);
  });
});

it('says when a rule has no room for them', () => {
  const rule = spec('residual', 0.5);
  const tensors = initialise(updateShapes(rule), createRandom(1));
  expect(() => beginWithMorphogens(rule, tensors, [...WAVES, ...WAVES], FIRST)).toThrow(
    '6 waves do not fit 10 channels',
  );
});
