/**
 * Disables the telemetry of ONNX Runtime 1.30, which stores a device id in the user's home folder.
 * When the library is loaded, it reads this variable from the environment of the process. Import
 * this file in the main thread, because `process.env` in a worker is only a copy of that
 * environment.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';
