/** Notices that offer to undo what has just been done. */
import { msg } from '@lit/localize';
import type { HostCommand } from '../../shared/host/api.ts';
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

/**
 * A notice that offers to undo a removal, and nothing else that was done since, where the server
 * stores what it takes.
 */
export function offerUndo(
  host: HostModel,
  room: string,
  text: string,
  command: HostCommand,
): Notice {
  if (host.state?.keeping === null) return { text };
  const undo = (): void =>
    void host.do('undoCommand', { room }, command, () => msg('The removal is undone.'));
  return { text, action: { label: msg('Undo'), run: undo } };
}
