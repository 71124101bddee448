/** Of the driver's own parts, which have no types: where it derives keys of passwords. */
declare module 'pg/lib/crypto/utils.js' {
  const scram: {
    deriveKey: (password: string, salt: Uint8Array, iterations: number) => Promise<ArrayBuffer>;
  };
  export default scram;
}
