// Loaded ahead of Pulumi's SDK (`nodeargs` in Pulumi.yaml). As it starts, the SDK loads a compiler and a package manager, with which it
// sends functions of a program to a cloud: half of what a program's start takes, and nothing that a cluster is made of. They are loaded
// when they are used.
"use strict";

const Module = require("node:module");

const LATER = ["@npmcli/arborist", "typescript"];
const OF_THE_SDK = /[\\/]@pulumi[\\/]pulumi[\\/]/;

const load = Module._load;

Module._load = function (request, parent, isMain) {
  const now = () => load.call(this, request, parent, isMain);
  if (!LATER.includes(request) || !OF_THE_SDK.test(parent?.filename ?? "")) return now();
  let loaded;
  return new Proxy(
    {},
    // Whoever imports all of it copies none of it.
    { get: (_, name) => (name === "__esModule" ? true : (loaded ??= now())[name]) },
  );
};
