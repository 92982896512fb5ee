"""Qt pieces that know no panel and no model of this project; of the engine they know its errors and its questions."""
