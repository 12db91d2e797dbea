import { createOnnxCompute } from '../../../server/autodiff/onnx.ts';
import { type Adam, type AdamOptions, createAdam } from '../../../server/training/run/optimiser.ts';
import { createRandom } from '../../../shared/random.ts';
import { expectNear } from '../../support/compare.ts';

const SHAPES = new Map([
  ['a', [3]],
  ['b', [2, 2]],
]);
const SIZES = { a: 3, b: 4 } as const;
type Name = keyof typeof SIZES;
const NAMES: readonly Name[] = ['a', 'b'];
const OPTIONS: AdamOptions = { beta2: 0.99, clip: 2, average: 0 };

const compute = createOnnxCompute({ threads: 1 });
afterAll(() => compute.dispose());

const random = createRandom(7);
const draw = (scale: number): Record<Name, number[]> => ({
  a: Array.from({ length: SIZES.a }, () => scale * random.normal()),
  b: Array.from({ length: SIZES.b }, () => scale * random.normal()),
});
const BEGINNING = draw(1);

const tensorsOf = (set: string, of: Record<Name, number[]>) =>
  new Map(
    NAMES.map((name) => [
      `${set}:${name}`,
      { shape: SHAPES.get(name)!, data: Float32Array.from(of[name]) },
    ]),
  );

const create = (options: AdamOptions): Promise<Adam> =>
  createAdam(compute, SHAPES, { update: 0, tensors: tensorsOf('parameter', BEGINNING) }, options);

const gradient = (of: Record<Name, number[]>) =>
  Object.fromEntries(
    [...tensorsOf('total', of)].map(([name, { shape, data }]) => [
      name,
      compute.upload(shape, data),
    ]),
  );

/** Adam in float64, number by number, as in Kingma & Ba 2015. */
class Reference {
  private readonly moments = NAMES.flatMap((name) =>
    BEGINNING[name].map((at) => ({ name, at, first: 0, second: 0, average: at })),
  );
  private t = 0;

  constructor(private readonly options: AdamOptions) {}

  /** @returns the norm before clipping */
  step(gradient: Record<Name, number[]>, rate: number): number {
    const { beta2, clip, average } = this.options;
    const [beta1, epsilon] = [0.9, 1e-8];
    const all = NAMES.flatMap((name) => gradient[name]);
    const norm = Math.hypot(...all);
    this.t++;
    const keep = Math.min(average, (1 + this.t) / (10 + this.t));
    this.moments.forEach((own, i) => {
      const g = norm > clip ? (all[i] * clip) / norm : all[i];
      own.first = beta1 * own.first + (1 - beta1) * g;
      own.second = beta2 * own.second + (1 - beta2) * g * g;
      const first = own.first / (1 - beta1 ** this.t);
      const second = own.second / (1 - beta2 ** this.t);
      own.at -= (rate * first) / (Math.sqrt(second) + epsilon);
      own.average = average === 0 ? own.at : keep * own.average + (1 - keep) * own.at;
    });
    return norm;
  }

  values(name: Name, of: 'at' | 'average'): number[] {
    return this.moments.filter((own) => own.name === name).map((own) => own[of]);
  }
}

async function expectLike(adam: Adam, reference: Reference): Promise<void> {
  const found = await adam.read();
  for (const name of NAMES) {
    expectNear(found.get(`parameter:${name}`)!.data, reference.values(name, 'at'), 2e-5);
    expectNear(found.get(`average:${name}`)!.data, reference.values(name, 'average'), 2e-5);
  }
}

it.each([0, 0.95])('steps like the reference, with an average of %f', async (average) => {
  const options = { ...OPTIONS, average };
  const adam = await create(options);
  const reference = new Reference(options);
  const norms: number[] = [];
  // Use gradients of different sizes, of which some are clipped.
  for (const [i, scale] of [0.1, 5, 0.5, 30, 0.01, 1].entries()) {
    const rate = 0.1 / (i + 1);
    const drawn = draw(scale);
    norms.push(reference.step(drawn, rate));
    const norm = await adam.step(gradient(drawn), rate);
    expect(Math.abs(norm / norms[i] - 1)).toBeLessThan(1e-5);
  }
  expect(norms.filter((norm) => norm > options.clip).length).toBeGreaterThan(1);
  expect(norms.filter((norm) => norm < options.clip).length).toBeGreaterThan(1);
  await expectLike(adam, reference);
  await adam.dispose();
});

it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e30])(
  'changes nothing for a gradient with %f',
  async (value) => {
    const adam = await create({ ...OPTIONS, average: 0.9 });
    await adam.step(gradient(draw(1)), 0.1);
    const before = await adam.read();
    const bad = draw(1);
    bad.b[2] = value;
    await expect(adam.step(gradient(bad), 0.1)).rejects.toMatchObject({
      name: 'TrainingError',
      reason: 'not-finite',
      message: 'the gradient of update 2 is not finite',
    });
    expect(await adam.read()).toEqual(before);
    // Training can continue.
    await expect(adam.step(gradient(draw(1)), 0.1)).resolves.toBeGreaterThan(0);
    await adam.dispose();
  },
);
