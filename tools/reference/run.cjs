require("../../bin/load.cjs")("reference");
