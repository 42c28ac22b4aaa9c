module.exports = require("../../bin/load.cjs")("bench-floor-program");
