/** The operations that contenders are asked, and the hand-written proxy knows by heart. */
export const operations = {
  User: 'query User($id: ID!) { user(id: $id) { id name username birthYear } }',
  UserName: 'query UserName($id: ID!) { user(id: $id) { name } }',
  Product: 'query Product($id: ID!) { product(upc: $id) { upc name price weight } }',
  Users: 'query Users($from: Int!) { users(from: $from, first: 3) { id name birthYear } }',
  UserReviews: 'query UserReviews($id: ID!) { user(id: $id) { id name reviews { id body rating } } }',
  ProductReviews: 'query ProductReviews($id: ID!) { product(upc: $id) { upc name reviews { id body } } }',
  UserProducts: 'query UserProducts($id: ID!) { user(id: $id) { name reviews { rating product { upc name price } } } }',
  ProductAuthors:
    'query ProductAuthors($id: ID!) { product(upc: $id) { name reviews { body author { name username } } } }',
  UserAndProduct:
    'query UserAndProduct($id: ID!) { user(id: $id) { id username } product(upc: $id) { upc price weight } }',
  /** The main one: four fetches in three levels, users, then reviews, then products and users side by side. */
  Page: `query Page($from: Int!, $first: Int!) {
    users(from: $from, first: $first) {
      id
      name
      reviews { id body rating product { upc name price } endorsedBy { id name username } }
    }
  }`,
} as const;

export type OperationName = keyof typeof operations;
export const operationNames = Object.keys(operations) as OperationName[];
