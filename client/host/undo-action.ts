/** The way back after something big: the state before it was kept, and can be brought back. */
import { msg } from '@lit/localize';
import type { SnapshotState } from '../../shared/host/state.ts';
import type { Notice } from './elements/notice-layer.ts';
import type { HostModel } from './host-model.ts';

/**
 * @param room where it was done
 * @param kept the state before; null where this server keeps nothing
 */
export function offerRestore(
  host: HostModel,
  room: string,
  text: string,
  kept: SnapshotState | null,
): Notice {
  if (!kept) return { text };
  return {
    text,
    way: {
      label: msg('Bring back what was before'),
      go: () =>
        void host.do('restore', { room, tick: kept.tick }, {}, () =>
          msg('The room is as it was before.'),
        ),
    },
  };
}

/** How far back the host's own act lies, and a little: seconds. */
const SLACK = 2;

/**
 * Offers to take back what the host has just removed.
 *
 * @param room where it was
 * @param at when it was removed, ms of this page's clock
 */
export function offerUndo(host: HostModel, room: string, text: string, at: number): Notice {
  return {
    text,
    way: {
      label: msg('Take it back'),
      go: () => {
        const seconds = Math.ceil((performance.now() - at) / 1_000) + SLACK;
        void host.do('undo', { room }, { seconds, participant: 0 }, () => msg('It is back.'));
      },
    },
  };
}
