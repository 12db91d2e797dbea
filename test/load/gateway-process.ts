/** A real gateway as its own process. */
import { collectGarbageRarely } from '../../server/operations/metrics.ts';
import { startServer } from '../support/server.ts';
import { answerParent, startArgument } from './child.ts';
import { ProcessUsage } from './measure.ts';
import type { GatewayQuestion, HostPlan } from './messages.ts';

collectGarbageRarely();
const plan = startArgument<Pick<HostPlan, 'settings'>>();
const { port } = await startServer({ ...plan.settings });
const usage = new ProcessUsage();

export type GatewayWindow = ReturnType<typeof endWindow>;

/** Cores; bytes per second. */
const endWindow = () => ({ cpu: usage.cpu, bytesOut: usage.bytesOut });

answerParent((question: GatewayQuestion): unknown => {
  switch (question) {
    case 'port':
      return port;
    case 'begin':
      usage.begin();
      return undefined;
    case 'end':
      return endWindow();
  }
});
