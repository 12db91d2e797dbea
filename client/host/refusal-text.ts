/** Why the server said no, in the language of the page, with what to do next where that helps. */
import { msg } from '@lit/localize';
import type { HostReason, JobReason } from '../../shared/host/reasons.ts';

export function reasonText(reason: HostReason): string {
  return TEXTS[reason];
}

const TEXTS: Readonly<Record<HostReason, string>> = {
  'no-session': msg('Please sign in with the host’s token.'),
  'wrong-token': msg(
    'That is not the host’s token. Check that nothing is missing at its ends, and try again.',
  ),
  'too-many-tries': msg('Too many wrong tokens. Please wait a little.'),
  'wrong-origin': msg(
    'This page came from elsewhere. Open it by the address that the terminal shows.',
  ),
  'wrong-key': msg('This page is from an older visit. Reload it.'),
  'unknown-call': msg('This page and the server do not fit together. Reload it.'),
  'bad-call': msg('The server did not understand that. Check what you typed, or reload this page.'),
  'too-large': msg('That was too much at once.'),
  'not-json': msg('This page and the server do not fit together. Reload it.'),
  'no-such-room': msg('There is no room of that name. Choose another one.'),
  'room-exists': msg('There is a room of that name already. Choose another.'),
  'room-open': msg('Close the room first.'),
  'room-closed': msg('The room is closed. Open it first.'),
  'not-confirmed': msg('Type the room’s name to confirm.'),
  'fixed-room': msg('The server is started with this room: it can be closed, but not removed.'),
  'no-such-checkpoint': msg('What is to grow there is not known any more. Reload this page.'),
  'other-checkpoint': msg(
    'That state was grown from something else than what this room grows now.',
  ),
  'too-many-rooms': msg(
    'There are as many rooms as this server takes. Remove one that is not used.',
  ),
  'no-such-organism': msg('That organism is not there any more.'),
  'no-such-participant': msg('That visitor is not there any more.'),
  'off-grid': msg('That lies outside the room.'),
  'no-such-ban': msg('That ban is over already.'),
  'nothing-to-undo': msg('Nothing was done in that time.'),
  'undo-too-far': msg(
    'So far back is not kept. Choose a shorter time, or go back to a saved state.',
  ),
  'no-such-snapshot': msg('That state is not kept any more. Choose another one.'),
  'too-many-snapshots': msg(
    'As many states are saved as this server takes. Remove one that you saved.',
  ),
  'not-kept': msg('This server keeps nothing: it was started without a data folder.'),
  'no-such-time': msg('Nothing is kept of that time. Choose a shorter one.'),
  'room-busy': msg('Something else is being done in this room. Try again in a moment.'),
  'too-many-jobs': msg('Other films are being made. Wait until one is done.'),
  'no-such-job': msg('That film is not there any more. Make it again.'),
  'job-not-done': msg('That film is not done yet.'),
  failed: msg('That did not work. Try again; the server’s log says more.'),
};

/** Why a film could not be made, and what to do about it. */
export function jobReasonText(reason: JobReason): string {
  return JOB_TEXTS[reason];
}

const JOB_TEXTS: Readonly<Record<JobReason, string>> = {
  'not-kept': msg('Not all of that time is kept. Choose a shorter one.'),
  damaged: msg('What is kept of that time cannot be read. Choose a shorter one.'),
  'other-checkpoint': msg('What grew there then was something else than what this room grows now.'),
  stalled: msg('It came no further, and was ended. Try again when the machine has less to do.'),
  ended: msg('It ended before it was done. Try a shorter time; the server’s log says more.'),
  failed: msg('That did not work. Try again; the server’s log says more.'),
};
