import { createOnnxCompute } from '../../../../server/training/autodiff/onnx.ts';
import { describeComputeContract } from './contract.ts';

describeComputeContract('onnx', async () => createOnnxCompute({ threads: 2 }));
