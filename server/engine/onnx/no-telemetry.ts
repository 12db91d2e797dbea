/**
 * ONNX Runtime 1.30 gives each user a device id, kept in her home, and reports to its makers. Nothing of ours calls home.
 * It reads this when its library is loaded, from the environment of the process: a thread's own copy comes too late.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';
