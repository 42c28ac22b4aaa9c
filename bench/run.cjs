require("../bin/load.cjs")("bench");
