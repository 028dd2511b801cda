// Documents that a gateway has never seen, each a valid one: for the flood of new documents.

const USER_FIELDS = ['id', 'name', 'username', 'birthYear'];
const REVIEW_FIELDS = ['id', 'body', 'rating'];
const PRODUCT_FIELDS = ['upc', 'name', 'price', 'weight'];
const FIRST = 10_000_000;

/** Another operation for each number: other fields by its bits, and one alias that holds it. Three levels, four fetches. */
export function operationText(number: number): string {
  const user = chosen(USER_FIELDS, number);
  const review = chosen(REVIEW_FIELDS, number >> 4);
  const product = chosen(PRODUCT_FIELDS, number >> 7);
  return (
    `query Flood { users(from: ${FIRST}, first: 3) { ${user} reviews { ${review} ` +
    `product { ${product} n${number}: name } endorsedBy { username ${user} } } } }`
  );
}

/** The same operation each time, with another literal. */
export function literalText(number: number): string {
  return (
    `query Literal { users(from: ${FIRST + number * 4}, first: 3) { id name reviews { id body rating ` +
    'product { upc name price } endorsedBy { id name username } } } }'
  );
}

/** The fields whose bits are set; never none. */
function chosen(fields: readonly string[], bits: number): string {
  const picked = fields.filter((_, bit) => bits & (1 << bit));
  return (picked.length > 0 ? picked : fields).join(' ');
}
