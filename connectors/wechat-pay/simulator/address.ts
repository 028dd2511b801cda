/** Whether notifications may be sent there: http or https, no query, no fragment, no password. */
export function isHttpAddress(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null && /^https?:$/.test(url.protocol) && !/[?#]/.test(text) && url.username === '' && url.password === ''
  );
}
