/** Notices that offer to undo what has just been done. */
import { msg } from '@lit/localize';
import type { SnapshotState } from '../../shared/host/state.ts';
import type { Notice } from './elements/notice-layer.ts';
import type { HostModel } from './host-model.ts';

/**
 * A notice that offers to restore the room's previous state.
 *
 * @param snapshot of the previous state; null if this server stores nothing
 */
export function offerRestore(
  host: HostModel,
  room: string,
  text: string,
  snapshot: SnapshotState | null,
): Notice {
  if (!snapshot) return { text };
  const restored = (): string => msg('The previous state is restored.');
  return {
    text,
    action: {
      label: msg('Restore the previous state'),
      run: () => void host.do('restore', { room, tick: snapshot.tick }, {}, restored),
    },
  };
}

/** Added to the time to undo, for the network and for rounding, s. */
const MARGIN_SECONDS = 2;

/**
 * A notice that offers to undo the host's own removal.
 *
 * @param removedAt `performance.now()` at the removal
 */
export function offerUndo(host: HostModel, room: string, text: string, removedAt: number): Notice {
  const undo = (): void => {
    const seconds = Math.ceil((performance.now() - removedAt) / 1_000) + MARGIN_SECONDS;
    void host.do('undo', { room }, { seconds, participant: 0 }, () =>
      msg('The removal is undone.'),
    );
  };
  return { text, action: { label: msg('Undo'), run: undo } };
}
