module.exports = require("./load.cjs")("program");
