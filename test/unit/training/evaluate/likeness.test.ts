import { precisionAndRecall } from '../../../../server/training/evaluate/images.ts';
import { areRetrieved } from '../../../../server/training/evaluate/organisms.ts';
import { createRandom } from '../../../../shared/random.ts';

describe('precision and recall', () => {
  const some = createRandom(1).latent(40 * 5);

  it('of a set against itself are whole', () => {
    expect(precisionAndRecall(some, some, 5)).toEqual({ precision: 1, recall: 1 });
  });

  it('of sets that lie far apart are nothing', () => {
    expect(
      precisionAndRecall(
        some,
        some.map((x) => x + 100),
        5,
      ),
    ).toEqual({
      precision: 0,
      recall: 0,
    });
  });

  it('tell good pictures that are all alike from varied ones', () => {
    const alike = Float32Array.from({ length: 40 * 5 }, (_, i) => some[i % 5] + 1e-3 * some[i]);
    const { precision, recall } = precisionAndRecall(some, alike, 5);
    expect(precision).toBe(1);
    expect(recall).toBeLessThan(0.1);
  });

  it('need sets with neighbours', () => {
    expect(() => precisionAndRecall(some.subarray(0, 15), some, 5)).toThrow('a set of 3');
  });
});

test('an organism is retrieved if no other image is nearer than its own', () => {
  const images = Float32Array.of(0, 0, 1, 1, 0, 1);
  const pictures = Float32Array.of(0.1, 0.2, 0.4, 0.1);
  expect(areRetrieved(pictures, [0, 1], images, 3)).toEqual([true, false]);
});
