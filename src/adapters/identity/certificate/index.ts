export {
  type Authority,
  createAuthority,
  type IssuedCertificate,
} from './authority.ts'
export { type CertificateReading, certificateBytesMax, readCertificate } from './certificate.ts'
export { isSpiffeId } from './spiffe.ts'
