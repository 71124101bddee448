/** Of the driver's own parts, which have no types: what it logs in by SCRAM with. */
declare module 'pg/lib/crypto/utils.js' {
  type Bytes = ArrayBuffer | Uint8Array;
  const scram: {
    deriveKey: (password: string, salt: Uint8Array, iterations: number) => Promise<ArrayBuffer>;
    hmacSha256: (key: Bytes, text: string) => Promise<Bytes>;
    sha256: (bytes: Bytes) => Promise<Bytes>;
  };
  export default scram;
}
