/**
 * Disables the telemetry of ONNX Runtime 1.30, which stores a device id in the user's home folder.
 * Import this file in the main thread: a worker thread has only a copy of the process's
 * environment.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';
