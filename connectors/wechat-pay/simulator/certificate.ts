import { createHash, type KeyObject } from 'node:crypto';
import { selfSigned } from '../../simulator/certificate.js';

/** The platform's certificate (PEM): the protocol hands out its keys as certificates. */
export function platformCertificate(serial: string, privateKey: KeyObject, from: Date, until: Date): string {
  return selfSigned({ name: 'Tenpay.com Simulator', serial: serialNumber(serial), privateKey, from, until });
}

/** A serial in hexadecimal is the number itself; any other name is hashed to one of 19 bytes, 20 being the most. */
function serialNumber(serial: string): Buffer {
  if (/^(?:[0-9A-F]{2}){1,20}$/i.test(serial)) return Buffer.from(serial, 'hex');
  return createHash('sha256').update(serial).digest().subarray(0, 19);
}
