import { utils } from "ssh2";

/** A new key pair. ssh2 1.17 writes one in some four hundred ed25519 keys so that it cannot read it again. */
export function keyPair(): { readonly private: string; readonly public: string } {
  for (;;) {
    const pair = utils.generateKeyPairSync("ed25519");
    if (!(utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}
