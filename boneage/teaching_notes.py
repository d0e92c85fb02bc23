"""What a lecturer can show with each page, in Markdown; `docs/lesson.md` is a lesson of it."""

# Page, as in its address -> what to show with it.
NOTES = {
    "": """
**Bone age and its uncertainty**

- Choose a sample and let the class estimate the bone age before you scroll to the prediction.
- Read out the 90% prediction interval, not only the age. A bone age without its uncertainty is an
  incomplete report.
- Change the sex. The same radiograph has a higher bone age as a boy's than as a girl's, because
  girls mature earlier; with a wrong sex in the request, the report is wrong by a year or more.
- Enter a chronological age. *Advanced* and *delayed* mean more than 2 SD from it, not more than a
  year. Advanced: precocious puberty, congenital adrenal hyperplasia, obesity. Delayed:
  constitutional delay, growth hormone deficiency, hypothyroidism, chronic disease.
- Open the saliency maps last. They show where the prediction is sensitive, not why; compare them
  with the regions that a radiologist uses at this age.

*Often misunderstood:* bone age is a measure of maturity. It does not tell how old a child is.
""",
    "follow_up": """
**One child over time**

- Compare the rate of maturation (years of bone age per year) with 1. A single bone age is a state;
  the rate shows whether a treatment works, as in precocious puberty.
- Enter two radiographs half a year apart and look at the 95% CI of the rate: over a short interval
  the reading error can be larger than the change.
- Use one method and, if possible, one reader for all radiographs of a child. A change of either
  looks like a change of the child.

*Often misunderstood:* the lines of 1 and 2 SD are between children of one age, and no corridor that
every child follows.
""",
    "atlas": """
**How a hand matures**

- Show girls and boys at the same bone age, best at 10 to 13 years: the girls' hand is more mature.
  This is why an atlas has a series for each sex.
- Play from 2 years on and say what to assess at each stage: ossification centers until about 2
  years in girls and 3 in boys; then the width of the epiphyses against their shafts; capping in
  early and mid-puberty; fusion last, in the phalanges before the radius and ulna.
- Turn on *Show variability*: children of one bone age differ in the wrist and at the growth plates.
  Where carpals and phalanges disagree, the phalanges are more reliable (Gilsanz and Ratib 2012).
- Ask for a bone that is easily missed: the pisiform, which overlies the triquetrum.

*Often misunderstood:* an average hand is sharper and more regular than any child's. It shows no
variants, such as pseudoepiphyses, and no disease.
""",
    "learn": """
**Reading, error and agreement**

- Choose cases and a set, and share the address: everyone gets the same ten hands in the same order.
- Do not give the chronological age. Readers who knew it called 58% of radiographs normal, and 48%
  when they did not (Berst et al., AJR 2001;176:507-510).
- Let everyone download the result and open *Class results*. Compare a single learner with the mean
  of all: the mean is better, because errors that are not shared cancel out. The reference of the
  challenge's test set, the mean of six readings, uses the same effect.
- Discuss bias and spread apart. A bias is corrected by teaching; the spread needs practice or a
  second reading.
- Show the hardest cases and ask what the class looked at.

*Often misunderstood:* a high ICC in a set of all ages. It is mainly due to the range of ages; look
at the within-case SD in months.
""",
    "error_analysis": """
**What one number hides**

- Start with the MAE, then ask what it does not tell: direction (bias), large errors, age and sex.
- Compare the validation and the test radiographs. The models are the same, the references are not:
  one clinical reading against the mean of six. Part of the error is the reference's own.
- Show limits of agreement as what a clinician can expect for the next child.
- Open *Interval coverage*: do 90% intervals contain 90% of the references, in girls and boys and at
  all ages?
- Look for the worst subgroup and ask whether it would be the worst again in new radiographs.

*Often misunderstood:* residuals fall with the reference age even for a calibrated model (regression
to the mean).
""",
    "head_to_head": """
**Is one model better?**

- Ask which model the class would choose from the MAEs alone, then show the 95% CI of the
  difference: both read the same radiographs, so the difference is what is tested.
- Separate *no significant difference* from *equivalent*: equivalence needs a margin chosen
  beforehand, here 1 month.
- Ask what the comparison is of: two sets of weights after one training run each, not two
  architectures.
- Show both maps of one radiograph: nearly the same bone age, partly from other regions.

*Often misunderstood:* agreement of two models is no proof. Both learned from the same references
and share their errors.
""",
}
