// Loaded before Azurite (`node --require`): keeps out the library of its telemetry, which is
// switched off (--disableTelemetry) and would be two thirds of the start.
"use strict";

const Module = require("node:module");

const load = Module._load;
Module._load = function (request, ...rest) {
  return request === "applicationinsights" ? {} : load.call(this, request, ...rest);
};
