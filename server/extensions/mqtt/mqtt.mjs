// @ts-check
/**
 * Connects rooms to an MQTT broker: their events go out, and messages of others become calls of the
 * host's API, by an operator's token. README.md lists the topics.
 */
import { connect } from 'mqtt';

/** Maximum size of a message that is a call, in bytes, and how many of them may wait. */
const MAX_BYTES = 16_384;
const MAX_WAITING = 32;
/** How long a call may take, in ms. */
const PATIENCE = 10_000;

/** @param {import('../extension.ts').Hand} hand @returns {import('../extension.ts').Extension} */
export default function mqtt(hand) {
  const { MQTT_URL = 'mqtt://localhost:1883', MQTT_TOPIC: root = 'vivarium' } = process.env;
  const { MQTT_API = 'http://localhost:8080', MQTT_TOKEN: token } = process.env;
  const status = `${root}/status`;
  const broker = connect(MQTT_URL, {
    will: { topic: status, payload: Buffer.from('offline'), retain: true, qos: 1 },
    // Events of the time without a broker are lost, so that they do not fill the memory.
    queueQoSZero: false,
  });
  let waiting = 0;
  /** Ends with the last call, because calls are made in order. */
  let last = Promise.resolve();
  let complaint = '';

  /** @param {string} topic @param {unknown} value */
  const send = (topic, value) => {
    if (broker.connected) broker.publish(`${root}/${topic}`, JSON.stringify(value));
  };

  /**
   * Makes a call that is about a room.
   *
   * @param {string} room
   * @param {string} what last part of the call's path, such as `pause`
   * @param {string} body JSON
   * @returns {Promise<unknown>} the answer, or why there is none
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
    // The client tries again and again, so say it once.
    if (message !== complaint) hand.say(message);
    complaint = message;
  });
  broker.on('message', (topic, bytes, { retain }) => {
    // A retained message was sent before: it is no wish of now.
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
