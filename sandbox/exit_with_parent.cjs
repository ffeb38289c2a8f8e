// Loaded before Azurite (`node --require`): ends it when the process that started it is gone.
//
// Standard input is a pipe from that process. It closes with it, also when it was killed and could
// not clean up, and on Windows too, where no signal would come. Azurite gets its chance to write
// what it holds to disk.
"use strict";

process.stdin.on("end", () => {
  process.emit("SIGTERM");
  setTimeout(() => process.exit(0), 2000).unref();
});
process.stdin.resume();
