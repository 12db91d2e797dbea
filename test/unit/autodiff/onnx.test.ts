import { createOnnxCompute } from '../../../server/autodiff/onnx.ts';
import { describeComputeContract } from './contract.ts';

describeComputeContract('onnx', async () => createOnnxCompute({ threads: 2 }));
