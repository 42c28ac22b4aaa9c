"use strict";

const library = require("./load.cjs")("library");

// By its name, so that `import { Cluster } from "pgherd"` works in modules of every kind.
exports.Cluster = library.Cluster;
