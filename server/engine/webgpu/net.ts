/** A checkpoint's net on a device: its kernels, its weights, and the pages of its patches. */
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import type { Gpu } from './device.ts';
import { type Plan, planFor } from './plan.ts';
import type { ReadbackBuffer } from './readback.ts';
import { type RecordLayout, recordLayout, writeRecord } from './record.ts';
import { seedSource } from './shader/chance.ts';
import { BINDINGS } from './shader/common.ts';
import { stepSource } from './shader/step.ts';
import { type Page, Slots } from './slots.ts';
import { packWeights } from './weights.ts';
import { ROW } from './work.ts';

export interface Net {
  readonly card: Card;
  readonly plan: Plan;
  readonly slots: Slots;
  /** A patch's record; `undefined` where all share one. */
  recordOf(latent: Float32Array): Float32Array | undefined;
  /** Encodes the kernels over a page's section of the work. */
  encode(pass: GPUComputePassEncoder, page: Page, box: ReadbackBuffer, section: Section): void;
  destroy(): void;
}

/** Bytes of work and of answers that a dispatch is about. */
export interface Section {
  readonly workAt: number;
  readonly workBytes: number;
  readonly answerBytes: number;
  readonly tiles: number;
}

/** @throws EngineError unavailable: the net is too wide; Error: the GPU's compiler refuses a kernel */
export async function loadNet(model: Model, { device }: Gpu, half: boolean): Promise<Net> {
  const { card } = model;
  const plan = planFor(card, device.limits, half);
  const record = recordLayout(card, plan);
  const { offsets, data } = packWeights(model, plan);
  const weights = filled(device, data);
  const common = record.shared
    ? filled(device, writeRecord(model, record, new Float32Array()))
    : undefined;
  const layout = device.createBindGroupLayout({
    entries: BINDINGS.map(({ written }, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: written ? 'storage' : 'read-only-storage' },
    })),
  });
  const sources = [stepSource({ card, plan, record, offsets })];
  if (card.update.updateProbability < 1) sources.unshift(seedSource(plan));
  const pipelines = await Promise.all(sources.map((code) => compile(device, layout, code)));
  const slots = new Slots(device, slotSizes(card, plan, record));
  return {
    card,
    plan,
    slots,
    recordOf: (latent) => (record.shared ? undefined : writeRecord(model, record, latent)),
    encode(pass, page, box, { workAt, workBytes, answerBytes, tiles }) {
      const buffers: Record<(typeof BINDINGS)[number]['name'], GPUBufferBinding> = {
        states: { buffer: page.states },
        seen: { buffer: page.seen },
        answers: { buffer: box.answers, size: answerBytes },
        records: { buffer: (common ?? page.records)! },
        weights: { buffer: weights },
        work: { buffer: box.work, offset: workAt, size: workBytes },
      };
      const entries = BINDINGS.map(({ name }, binding) => ({ binding, resource: buffers[name] }));
      pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
      for (const pipeline of pipelines) {
        pass.setPipeline(pipeline);
        pass.dispatchWorkgroups(Math.min(tiles, ROW), Math.ceil(tiles / ROW));
      }
    },
    destroy() {
      slots.destroy();
      weights.destroy();
      common?.destroy();
    },
  };
}

const slotSizes = ({ side }: Card, plan: Plan, { shared, size }: RecordLayout) => ({
  groups: plan.channels,
  cells: side * side,
  record: shared ? 0 : size,
});

function filled(
  device: GPUDevice,
  data: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>,
): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size: data.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, data);
  return buffer;
}

function compile(
  device: GPUDevice,
  layout: GPUBindGroupLayout,
  code: string,
): Promise<GPUComputePipeline> {
  return device.createComputePipelineAsync({
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
  });
}
