// First: the library throws at import without it.
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

/** The library, in a file of its own so that it is loaded only when a certificate is made: it takes a fifth of a second. */
export { x509 }
