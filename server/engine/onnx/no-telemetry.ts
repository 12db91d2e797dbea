/**
 * Disables the telemetry of ONNX Runtime 1.30, which stores a device id in the user's home folder.
 * The library reads this variable from the environment of the process when it is loaded. Import
 * this file in the main thread: in a worker thread, `process.env` is only a copy, and a change to
 * it does not reach the environment of the process.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';
