/** The doctor's words; what it finds is tested in test/integration/start.test.ts. */
import {
  type EngineReport,
  type Report,
  reportText,
} from '../../../server/engine/doctor/examine.ts';

const speed = { reason: null, remedy: null, needs: '', cellsPerSecond: 3_141_592 };
const onnx: EngineReport = { ...speed, name: 'onnx', usable: true, device: 'CPU (ONNX Runtime)' };
const reason = 'its native part is not installed';
const tensorflow: EngineReport = {
  ...{ ...onnx, name: 'tensorflow', usable: false, device: null, cellsPerSecond: null },
  ...{ reason, remedy: 'build it' },
};
const report: Report = {
  machine: { cpu: 'Z80', cores: 2, memoryGiB: 8, gpus: [], system: 'linux x64', node: '20.0.0' },
  checkpoint: { folder: 'checkpoints/moss', net: 'moss', side: 32 },
  unreadable: null,
  patches: 16,
  engines: [tensorflow, onnx],
  auto: {
    name: 'onnx',
    device: onnx.device,
    why: 'the first that works here',
    passed: ['tensorflow on a GPU: no GPU'],
  },
  better: [],
};

test('a report names the machine, each engine with speed or reason and remedy, and the choice', () => {
  const text = reportText(report);
  for (const part of [
    'Z80, 2 cores, 8 GiB; no GPU found',
    /^onnx +CPU \(ONNX Runtime\) +3\.14 M cells\/s$/m,
    /^tensorflow +does not run here\n +its native part is not installed\n/m,
    'to make it work: build it',
    'with the checkpoint "moss": 16 patches of 32×32 cells',
    '--engine auto selects onnx on CPU (ONNX Runtime): the first that works here.',
    'skipped: tensorflow on a GPU: no GPU',
    'Installing software would not give this machine a better engine.',
  ]) {
    expect(text).toMatch(part);
  }
});
