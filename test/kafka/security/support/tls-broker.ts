// Owns the configuration of a real broker with TLS listeners of every kind. Runs in the test process. Each listener advertises
// itself, so a client that starts at one stays there.

import type { CertificateAuthority, Issued } from '../../../helpers/certificates.ts';
import type { BrokerPlace, KafkaOptions, Properties } from '../../fixture/index.ts';

interface ListenerSettings {
  readonly certificate: Issued;
  readonly protocol?: 'SSL' | 'SASL_SSL';
  readonly more?: Properties;
}

export interface TlsListeners {
  readonly [name: string]: ListenerSettings;
}

/** Options of a KRaft broker whose listeners have these names, in lower case, and trust clients that `ca` issued. */
export function tlsBroker(ca: CertificateAuthority, listeners: TlsListeners): KafkaOptions {
  const names = Object.keys(listeners);
  const trusted = ca.file('broker-trusts.pem', ca.cert);
  return {
    extraPorts: names.length,
    extraProperties: (place) => {
      const on = names.map((name, i) => `${name.toUpperCase()}://localhost:${place.extraPorts[i]}`);
      const protocols = names.map((name) => `${name.toUpperCase()}:${listeners[name]!.protocol ?? 'SSL'}`);
      return {
        ...addresses(place, on, protocols),
        ...Object.assign({}, ...names.map((name) => listenerProperties(ca, name, listeners[name]!, trusted))),
      };
    },
  };
}

function addresses(place: BrokerPlace, on: readonly string[], protocols: readonly string[]): Properties {
  const plain = `PLAINTEXT://${place.host}:${place.port}`;
  return {
    listeners: [plain, `CONTROLLER://${place.host}:${place.controllerPort}`, ...on].join(','),
    'advertised.listeners': [plain, ...on].join(','),
    'listener.security.protocol.map': ['CONTROLLER:PLAINTEXT', 'PLAINTEXT:PLAINTEXT', ...protocols].join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
  };
}

function listenerProperties(
  ca: CertificateAuthority,
  name: string,
  { certificate, more = {} }: ListenerSettings,
  trusted: string,
): Properties {
  const own: Properties = {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': ca.file(`broker-${name}.pem`, certificate.key + certificate.cert),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': trusted,
    ...more,
  };
  return Object.fromEntries(Object.entries(own).map(([key, value]) => [`listener.name.${name}.${key}`, value]));
}
