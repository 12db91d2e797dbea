/** Opens the engine that steps the rooms; a server without rooms of its own has none. */
import { createEngine, type EngineOptions } from '../engine/create-engine.ts';
import { type Engine, EngineError } from '../engine/engine.ts';
import type { Config } from '../settings/server.ts';

/** @throws EngineError unavailable */
export async function openEngine(
  { role, engine: backend }: Pick<Config, 'role' | 'engine'>,
  options: Omit<EngineOptions, 'backend'>,
): Promise<Engine> {
  return role === 'gateway' ? NO_ENGINE : createEngine({ ...options, backend });
}

const refuse = async (): Promise<never> => {
  throw new EngineError('unavailable', 'a gateway runs no rooms');
};

const NO_ENGINE: Engine = {
  info: { name: 'none', device: 'none' },
  plant: refuse,
  step: refuse,
  exportStates: refuse,
  importStates: refuse,
  dispose: async () => {},
  close: async () => {},
};
