/** TLS material as grpc-js takes it. */
import { ServerCredentials } from '@grpc/grpc-js';
import { type ListenAddress, ListenError } from '../listen.ts';

/** Throws ListenError `ca_missing`: without a CA every client certificate would be refused, or none asked. */
export function credentialsOf(address: ListenAddress): ServerCredentials {
  if (address.kind === 'unix' || address.tls === undefined)
    return ServerCredentials.createInsecure();
  const { cert, key, ca, requireClientCert } = address.tls;
  if (requireClientCert === true && ca === undefined) {
    throw new ListenError('ca_missing', `${address.host}:${address.port}`);
  }
  return ServerCredentials.createSsl(
    ca ?? null,
    [{ cert_chain: cert, private_key: key }],
    requireClientCert === true,
  );
}
