// SHA-256 digests of Pulumi's official archives, by their names: which programs of others the set-up may download and run.
"use strict";

/**
 * A digest that comes from the same site as the archive tells of a broken download, and nothing of an exchanged one. So it
 * stands here, under review, and what has none here is never downloaded: the engine is built from source instead, whose
 * digests stand in tools/engine/go.sum, and plugins have stand-ins of pgherd's own.
 *
 * Empty: nobody has compared those of these versions over two ways yet. To add one, take it from the release's checksums
 * file (`pulumi-3.250.0-checksums.txt`), from two networks or beside that of a package of a distribution:
 * `"pulumi-v3.250.0-linux-x64.tar.gz": "64 hexadecimal digits"`; a plugin's archive is called
 * `pulumi-resource-random-v4.21.2-linux-amd64.tar.gz`.
 */
const DIGESTS = {};

/** The digest of an archive, or `undefined` where none is known. */
function digestOf(archive) {
  return Object.hasOwn(DIGESTS, archive) ? DIGESTS[archive] : undefined;
}

module.exports = { digestOf };
