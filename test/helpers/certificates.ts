// Owns certificates for tests, made by the `openssl` command at test time: an authority, and the certificates that it issues and
// revokes. Runs in the test's thread, which waits for each command (some 20 ms).

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface IssueOptions {
  /** Subject alternative names, default `['DNS:localhost', 'IP:127.0.0.1']`. */
  readonly names?: readonly string[];
  /** Default 'server'. */
  readonly purpose?: 'server' | 'client';
  /** Default now to a day from now; UTC as `YYYYMMDDHHMMSSZ`. */
  readonly validity?: readonly [from: string, to: string];
  /** Pass phrase that the key is encrypted with; default none. */
  readonly passphrase?: string;
}

export const longPast = ['20200101000000Z', '20210101000000Z'] as const;
export const farFuture = ['20980101000000Z', '20990101000000Z'] as const;

/** A certificate with its key, PEM. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export class CertificateAuthority {
  readonly cert: string;
  readonly #folder: string;
  #issued = 0;

  /** @param issuer default: signs itself */
  constructor(name: string, issuer?: CertificateAuthority) {
    this.#folder = mkdtempSync(join(tmpdir(), 'offthread-kafka-certificates-'));
    this.#write('index.txt', '');
    this.#write('serial', '1001\n');
    this.#write('crlnumber', '01\n');
    this.#write('ca.cnf', configuration);
    this.#newKey('ca.key');
    if (issuer === undefined) {
      this.#openssl(
        'req',
        '-x509',
        '-new',
        '-key',
        'ca.key',
        '-out',
        'ca.crt',
        '-days',
        '2',
        '-subj',
        `/CN=${name}`,
        ...authority,
      );
    } else {
      this.#openssl('req', '-new', '-key', 'ca.key', '-out', 'ca.csr', '-subj', `/CN=${name}`);
      this.#write(
        'ca.crt',
        issuer.#sign(
          this.#read('ca.csr'),
          'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n',
        ),
      );
    }
    this.cert = this.#read('ca.crt');
  }

  issue({
    names = ['DNS:localhost', 'IP:127.0.0.1'],
    purpose = 'server',
    validity,
    passphrase,
  }: IssueOptions = {}): Issued {
    const file = `leaf-${++this.#issued}`;
    this.#newKey(`${file}.key`);
    this.#openssl('req', '-new', '-key', `${file}.key`, '-out', `${file}.csr`, '-subj', `/CN=${purpose}`);
    const extensions = `subjectAltName=${names.join(',')}\nextendedKeyUsage=${purpose}Auth\nbasicConstraints=CA:FALSE\n`;
    const cert = this.#sign(this.#read(`${file}.csr`), extensions, validity);
    if (passphrase !== undefined) {
      this.#openssl(
        'pkcs8',
        '-topk8',
        '-in',
        `${file}.key`,
        '-v2',
        'aes-256-cbc',
        '-passout',
        `pass:${passphrase}`,
        '-out',
        `${file}.enc`,
      );
    }
    return { cert, key: this.#read(passphrase === undefined ? `${file}.key` : `${file}.enc`) };
  }

  revoke({ cert }: Issued): void {
    this.#write('revoked.crt', cert);
    this.#openssl('ca', '-batch', '-config', 'ca.cnf', '-revoke', 'revoked.crt');
  }

  /** The revocation list so far, PEM. */
  crl(validity?: readonly [from: string, to: string]): string {
    const dates =
      validity === undefined ? ['-crldays', '1'] : ['-crl_lastupdate', validity[0], '-crl_nextupdate', validity[1]];
    this.#openssl('ca', '-batch', '-config', 'ca.cnf', '-gencrl', ...dates, '-out', 'list.crl');
    return this.#read('list.crl');
  }

  /** Writes a text into the authority's folder. Returns its path. */
  file(name: string, text: string): string {
    return this.#write(name, text);
  }

  /** Removes all files. */
  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #sign(request: string, extensions: string, validity?: readonly [from: string, to: string]): string {
    this.#write('request.csr', request);
    this.#write('extensions.cnf', extensions);
    const dates = validity === undefined ? ['-days', '1'] : ['-startdate', validity[0], '-enddate', validity[1]];
    const files = ['-in', 'request.csr', '-extfile', 'extensions.cnf', '-out', 'issued.crt'];
    this.#openssl('ca', '-batch', '-notext', '-config', 'ca.cnf', ...dates, ...files);
    return this.#read('issued.crt');
  }

  #newKey(file: string): void {
    this.#openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', file);
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.#folder, stdio: ['ignore', 'ignore', 'pipe'] });
  }

  #read(file: string): string {
    return readFileSync(join(this.#folder, file), 'utf8');
  }

  #write(file: string, text: string): string {
    const path = join(this.#folder, file);
    writeFileSync(path, text);
    return path;
  }
}

const authority = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'];

const configuration = `[ca]
default_ca=own
[own]
database=index.txt
serial=serial
crlnumber=crlnumber
certificate=ca.crt
private_key=ca.key
new_certs_dir=.
default_md=sha256
policy=any
unique_subject=no
[any]
commonName=supplied
`;
