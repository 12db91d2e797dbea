// @ts-check
/**
 * An extension that connects rooms to an MQTT broker. It publishes the rooms' events. On request of
 * MQTT clients, it makes calls of the host's API with an access token of the role operator.
 * README.md lists the topics.
 */
import { connect } from 'mqtt';

/**
 * Limits on MQTT messages that request calls: maximum size of a message in bytes, and maximum
 * number of unfinished calls.
 */
const MAX_BYTES = 16_384;
const MAX_WAITING = 32;
/** Timeout of a call of the host's API, in ms. */
const PATIENCE = 10_000;

/**
 * Creates the extension.
 *
 * @param {import('../extension.ts').Hand} hand
 * @returns {import('../extension.ts').Extension}
 */
export default function mqtt(hand) {
  const { MQTT_URL = 'mqtt://localhost:1883', MQTT_TOPIC: root = 'vivarium' } = process.env;
  const { MQTT_API = 'http://localhost:8080', MQTT_TOKEN: token } = process.env;
  const status = `${root}/status`;
  const broker = connect(MQTT_URL, {
    will: { topic: status, payload: Buffer.from('offline'), retain: true, qos: 1 },
    // Drop messages while the broker is unreachable, because queued messages would fill the memory.
    queueQoSZero: false,
  });
  let waiting = 0;
  /** Resolves when the latest call has ended, so that calls are made one after another. */
  let last = Promise.resolve();
  let complaint = '';

  /**
   * Publishes a value as JSON. Does nothing if the broker is not connected.
   *
   * @param {string} topic relative to the root topic
   * @param {unknown} value
   */
  const send = (topic, value) => {
    if (broker.connected) broker.publish(`${root}/${topic}`, JSON.stringify(value));
  };

  /**
   * Makes a call of the host's API for a room.
   *
   * @param {string} room
   * @param {string} what last part of the call's path, such as `pause`
   * @param {string} body the call's body, as JSON
   * @returns {Promise<unknown>} the parsed answer; if the server cannot be reached, an object that
   *   says so
   */
  const call = async (room, what, body) => {
    const path = ['rooms', room, what].map(encodeURIComponent).join('/');
    try {
      const response = await fetch(`${MQTT_API}/host/api/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(PATIENCE),
      });
      return await response.json();
    } catch (error) {
      return { reason: 'unreachable', detail: String(error) };
    }
  };

  broker.on('connect', () => {
    complaint = '';
    broker.publish(status, 'online', { retain: true, qos: 1 });
    if (token) broker.subscribe(`${root}/+/do/+`, { qos: 1 });
    hand.say(`connected to ${new URL(MQTT_URL).host}`);
  });
  broker.on('error', ({ message }) => {
    // Log a repeated error only once, because the client keeps trying to connect.
    if (message !== complaint) hand.say(message);
    complaint = message;
  });
  broker.on('message', (topic, bytes, { retain }) => {
    // Ignore retained messages, which may be old.
    if (retain) return;
    const [room, , what] = topic.slice(root.length + 1).split('/');
    const answer = (/** @type {unknown} */ value) => send(`${room}/done/${what}`, value);
    if (bytes.length > MAX_BYTES) answer({ reason: 'too-large' });
    else if (waiting >= MAX_WAITING) answer({ reason: 'too-many-calls' });
    else {
      waiting++;
      const body = bytes.toString() || '{}';
      last = last.then(async () => answer(await call(room, what, body))).finally(() => waiting--);
    }
  });

  return {
    name: 'mqtt',
    onRoomOpened: ({ room, organisms: _, ...about }) => send(`${room}/opened`, about),
    onRoomClosed: ({ room }) => send(`${room}/closed`, {}),
    onJoined: ({ room, participant: { id } }) => send(`${room}/joined`, { id }),
    onLeft: ({ room, participant: { id } }) => send(`${room}/left`, { id }),
    onLife: ({ room, tick, event }) => send(`${room}/${event.what}`, { tick, ...event }),
    onFigures: ({ room, ...figures }) => send(`${room}/figures`, figures),
    async onClose() {
      if (broker.connected) await broker.publishAsync(status, 'offline', { retain: true, qos: 1 });
      await broker.endAsync();
    },
  };
}
