/** Texts for the server's refusals, with what to do next where that helps. */
import { msg } from '@lit/localize';
import type { HostReason, JobReason } from '../../shared/host/reasons.ts';

/** Why a call was refused. */
export const REASON_TEXTS: Readonly<Record<HostReason, string>> = {
  'no-session': msg('Please sign in with the host token.'),
  'wrong-token': msg('That is not the host token. Check that you copied all of it, and try again.'),
  'too-many-tries': msg('Too many wrong tokens. Please wait a moment.'),
  'wrong-origin': msg(
    'This page was opened from another address. Use the address that the terminal shows.',
  ),
  'wrong-key': msg('Your session has changed. Reload the page.'),
  'unknown-call': msg('This page does not match the server’s version. Reload it.'),
  'bad-call': msg('The server did not accept that. Check what you typed, or reload the page.'),
  'too-large': msg('That was too much data at once.'),
  'not-json': msg('This page does not match the server’s version. Reload it.'),
  'no-such-room': msg('There is no room with that name. Choose another one.'),
  'room-exists': msg('There is already a room with that name. Choose another one.'),
  'room-open': msg('Close the room first.'),
  'room-closed': msg('The room is closed. Open it first.'),
  'no-such-server': msg('That server no longer answers.'),
  'nobody-takes-over': msg(
    'No other server can take its rooms over. Start one that runs rooms, and try again.',
  ),
  'not-confirmed': msg('Type the room’s name to confirm.'),
  'fixed-room': msg(
    'This room is part of the server’s configuration: you can close it, but not remove it.',
  ),
  'no-such-checkpoint': msg('What should grow there is no longer available. Reload the page.'),
  'other-checkpoint': msg('That state does not match what this room grows now.'),
  'too-many-rooms': msg(
    'You have reached this server’s limit of rooms. Remove one that is not used.',
  ),
  'no-such-organism': msg('That organism is no longer there.'),
  'no-such-participant': msg('That visitor is no longer there.'),
  'no-such-drawing': msg('That drawing is no longer waiting.'),
  'off-grid': msg('That is outside the room.'),
  'no-such-ban': msg('That ban has already ended.'),
  'no-such-wall': msg('That wall no longer has a place.'),
  'wall-exists': msg('There is already a wall with that name. Choose another one.'),
  'too-many-walls': msg(
    'You have reached this room’s limit of walls. Remove one that is not used.',
  ),
  'nothing-to-undo': msg('There is nothing to undo in that time.'),
  'undo-too-far': msg(
    'The history does not reach that far back. Choose a shorter time, or restore a saved state.',
  ),
  'no-such-snapshot': msg('That state no longer exists. Choose another one.'),
  'too-many-snapshots': msg(
    'You have reached the limit of saved states. Remove one that you saved.',
  ),
  'not-aside': msg('That is no longer set aside.'),
  'not-kept': msg('This server does not store anything: it was started without a data folder.'),
  'no-such-time': msg('Nothing is stored from that time. Choose a shorter one.'),
  elsewhere: msg('The server that runs this room does not answer. Try again in a moment.'),
  'room-busy': msg('The room is busy with something else. Try again in a moment.'),
  'too-many-jobs': msg('Other films are being made. Wait until one is finished.'),
  'no-such-job': msg('That film no longer exists. Make it again.'),
  'job-not-done': msg('That film is not finished yet.'),
  failed: msg('That did not work. Try again, or look in the server’s log.'),
};

/** Why a film could not be made, and what to do about it. */
export const JOB_REASON_TEXTS: Readonly<Record<JobReason, string>> = {
  'not-kept': msg('Not all of that time is stored. Choose a shorter one.'),
  damaged: msg('The history of that time is damaged. Choose a shorter one.'),
  'other-checkpoint': msg('The room grew something different at that time.'),
  stalled: msg(
    'It stopped making progress and was cancelled. Try again when the machine is less busy.',
  ),
  ended: msg('It ended before it was finished. Try a shorter time, or look in the server’s log.'),
  failed: msg('That did not work. Try again, or look in the server’s log.'),
};
