/**
 * Disables the telemetry of ONNX Runtime 1.30, which stores a device id in the user's home folder.
 * The library reads the variable from the process when it is loaded; a thread's copy of it has no
 * effect.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';
