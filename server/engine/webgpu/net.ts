/** A checkpoint's net on a device: kernels, weights, and the pages of its patches. */
import type { Model } from '../../vnca/checkpoint.ts';
import type { Gpu } from './device.ts';
import { planFor } from './plan.ts';
import { recordLayout, writeRecord } from './record.ts';
import { BINDINGS, seedSource } from './shader/layers.ts';
import { stepSource } from './shader/step.ts';
import { type Page, type ReadbackBuffer, Slots } from './slots.ts';
import { packWeights } from './weights.ts';
import { ROW } from './work.ts';

/** A loaded net. */
export type Net = Awaited<ReturnType<typeof loadNet>>;

/** A page's part of the work buffer, and the bytes of all answers. */
export interface Section {
  readonly workAt: number;
  readonly workBytes: number;
  readonly answerBytes: number;
  readonly tiles: number;
}

/**
 * Loads a net on a device.
 *
 * @throws EngineError unavailable: the net is too wide for the GPU; Error: a kernel does not
 *   compile
 */
export async function loadNet(model: Model, { device }: Gpu) {
  const { card } = model;
  const plan = planFor(card, device.limits);
  const record = recordLayout(card, plan);
  const { offsets, data } = packWeights(model, plan);
  const weights = bufferWith(device, data);
  const common = record.shared
    ? bufferWith(device, writeRecord(model, record, new Float32Array()))
    : undefined;
  const layout = device.createBindGroupLayout({
    entries: BINDINGS.map(({ written }, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: written ? 'storage' : 'read-only-storage' },
    })),
  });
  const sources = [stepSource(card, plan, record, offsets)];
  if (card.update.updateProbability < 1) sources.unshift(seedSource(plan));
  const pipelines = await Promise.all(sources.map((code) => compile(device, layout, code)));
  const slots = new Slots(device, {
    groups: plan.channels,
    cells: card.side * card.side,
    record: record.shared ? 0 : record.size,
  });
  return {
    card,
    plan,
    slots,
    /** The record of a patch with this latent [Z]; undefined if all patches share one. */
    recordOf: (latent: Float32Array): Float32Array | undefined =>
      record.shared ? undefined : writeRecord(model, record, latent),
    /** Encodes the kernels for a page's section of the work. */
    encode(
      pass: GPUComputePassEncoder,
      page: Page,
      buffers: ReadbackBuffer,
      { workAt, workBytes, answerBytes, tiles }: Section,
    ): void {
      const bindings: Record<(typeof BINDINGS)[number]['name'], GPUBufferBinding> = {
        states: { buffer: page.states },
        seen: { buffer: page.seen },
        answers: { buffer: buffers.answers, size: answerBytes },
        records: { buffer: (common ?? page.records)! },
        weights: { buffer: weights },
        work: { buffer: buffers.work, offset: workAt, size: workBytes },
      };
      const entries = BINDINGS.map(({ name }, binding) => ({ binding, resource: bindings[name] }));
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

function bufferWith(device: GPUDevice, data: Float32Array<ArrayBuffer>): GPUBuffer {
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
