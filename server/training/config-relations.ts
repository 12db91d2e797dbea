/** Which fields of a training configuration fit together. */
import { type FieldError, isPowerOfTwo, modelErrors } from '../vnca/card.ts';
import { type ConfigFields, drawnAt, drawnStates } from './config-fields.ts';
import { areConsecutive } from './model/likelihood.ts';
import { positionChannels } from './model/position-loss.ts';

/** What is wrong between the fields. */
export function* relationErrors(config: ConfigFields): Generator<FieldError> {
  yield* modelErrors(config);
  const { augment, batch, channels, curriculum, data, growth, places, pool, readout, side } =
    config;
  const { micro } = batch;
  if (data.side !== side) yield ['data.side', `is ${data.side}, but the model's "side" is ${side}`];
  if (readout.kind === 'rgba-premultiplied' && !areConsecutive(readout.channels)) {
    yield ['readout.channels', 'must be consecutive'];
  }
  if (config.slopes > 0 && readout.kind !== 'rgba-premultiplied') {
    yield ['slopes', 'is only for pictures in colours with transparency'];
  }
  if (config.slopes > 0 && growth.kind === 'doubling' && growth.seedSide < 2) {
    yield ['slopes', 'needs a "growth.seedSide" of 2 or more'];
  }
  if (config.trains === 'encoder') {
    for (const field of ['pool', 'places', 'leakRamp', 'galleryOffsets'] as const) {
      if (config[field] !== undefined) yield [field, 'is for runs that train the rule'];
    }
  }
  if (batch.fresh % micro !== 0) {
    yield ['batch.micro', `is ${micro}, which does not divide "batch.fresh" ${batch.fresh}`];
  }
  if (places && places.channel + positionChannels(places) > channels) {
    const needed = `need ${positionChannels(places)} channels from ${places.channel} on`;
    yield ['places', `${needed}, but there are only ${channels}`];
  }
  const ofPicture = channelsOf(readout).find(
    (channel) =>
      places && channel >= places.channel && channel < places.channel + positionChannels(places),
  );
  if (ofPicture !== undefined) yield ['places', `channel ${ofPicture} is of the picture`];
  if (pool && config.update.kind === 'decoder') {
    yield ['pool', 'is for cells that stay and heal; a decoder has no cell rule'];
  }
  if (pool) {
    const { calm, crowded } = pool;
    for (const [path, part] of Object.entries({ 'pool.batch': pool, 'pool.calm.batch': calm })) {
      if (part && part.batch % micro !== 0) {
        yield [path, `is ${part.batch}, not a multiple of "batch.micro" ${micro}`];
      }
    }
    if (crowded && (crowded.batch % micro !== 0 || crowded.batch > crowded.size)) {
      const limits = `a multiple of "batch.micro" ${micro}, at most "size" ${crowded.size}`;
      yield ['pool.crowded.batch', `is ${crowded.batch}: must be ${limits}`];
    }
    if (pool.patients) {
      const { batch: drawnPatients, size, crowded: beside } = pool.patients;
      if (drawnPatients % micro !== 0 || drawnPatients > size) {
        const limits = `a multiple of "batch.micro" ${micro}, at most "size" ${size}`;
        yield ['pool.patients.batch', `is ${drawnPatients}: must be ${limits}`];
      }
      if (config.closing === undefined) yield ['pool.patients', 'needs "closing"'];
      if (beside > 0 && !crowded) yield ['pool.patients.crowded', 'needs "pool.crowded"'];
    }
    if (pool.admit > batch.fresh) {
      yield ['pool.admit', `is ${pool.admit}, more than "batch.fresh" ${batch.fresh}`];
    }
    const drawn = drawnStates(pool);
    if (pool.size <= drawn) yield ['pool.size', `is ${pool.size}, too few to draw ${drawn} of`];
  }
  if (config.growthSteps && growth.kind !== 'uniform') {
    yield ['growthSteps', 'is only for uniform growth'];
  }
  if (growth.kind === 'uniform' && config.growthSteps) {
    const [low, high] = drawnAt(config.growthSteps, 1);
    if (growth.steps < low || growth.steps > high) {
      yield ['growth.steps', `is ${growth.steps}, outside "growthSteps" ${low} to ${high}`];
    }
  }
  if (config.judgeStages > 0 && growth.kind === 'uniform') {
    yield ['judgeStages', 'is only for growth by doubling'];
  }
  const { extraSteps, judgeGrown, optimiser } = config;
  const goesOn = ('to' in extraSteps ? [...extraSteps.from, ...extraSteps.to] : extraSteps).some(
    (steps) => steps > 0,
  );
  if (judgeGrown > 0 && !goesOn && !pool?.patients) {
    yield ['judgeGrown', 'needs "extraSteps" or "pool.patients"'];
  }
  for (const field of ['beta1', 'beta2', 'average'] as const) {
    if (optimiser[field] === 1) yield [`optimiser.${field}`, 'must be less than 1'];
  }
  for (const field of ['recolour', 'lines'] as const) {
    if (augment[field] > 0 && readout.kind !== 'rgba-premultiplied') {
      yield [`augment.${field}`, 'is only for pictures in colours with transparency'];
    }
  }
  for (const [i, { until, side: young }] of curriculum.entries()) {
    if (i > 0 && (until <= curriculum[i - 1].until || young <= curriculum[i - 1].side)) {
      yield ['curriculum', 'sides and shares must rise from entry to entry'];
    }
    const isStage =
      growth.kind === 'doubling'
        ? young >= growth.seedSide && isPowerOfTwo(side / young)
        : side % young === 0;
    if (!isStage) yield ['curriculum', `side ${young} is not a stage on the way to "side" ${side}`];
  }
  if (augment.shift >= side) {
    yield ['augment.shift', `is ${augment.shift}, too large for images of side ${side}`];
  }
}

/** Channels that show the picture. */
function channelsOf(readout: ConfigFields['readout']): readonly number[] {
  switch (readout.kind) {
    case 'bernoulli':
      return [readout.channel];
    case 'rgba-premultiplied':
      return readout.channels;
    case 'dmol':
      return Array.from({ length: 10 * readout.mixtures }, (_, i) => i);
  }
}
