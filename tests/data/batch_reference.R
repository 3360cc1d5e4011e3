# R's answers for the thousand cohorts of tests/batch_cohorts.py, one row a cohort: batch_reference.csv.gz.
# Run in this folder, for two minutes: python ../batch_cohorts.py > cohorts.csv; Rscript batch_reference.R; rm cohorts.csv
# (R 4.2.2, survival 3.5-3, cmprsk 2.2-11). Empty: R has no answer. Inf in log_hr: the likelihood is monotone.
suppressMessages({library(survival); library(cmprsk)})
tight <- coxph.control(eps = 1e-15, toler.chol = 1e-16, iter.max = 100)
quiet <- function(call) suppressWarnings(tryCatch(call, error = function(e) NULL))

curves <- function(d, at, taus, name) {
  out <- rep(NA_real_, 10)
  names(out) <- paste0(c("q25", "q50", "q75", "s1", "s2", "s3", "mean1", "se1", "mean2", "se2"), "_", name)
  if (!nrow(d)) return(out)
  f <- survfit(Surv(time, event) ~ 1, d)
  out[1:3] <- quantile(f, c(0.25, 0.5, 0.75), conf.int = FALSE)
  out[4:6] <- summary(f, times = unique(at), extend = TRUE)$surv[match(at, unique(at))]
  for (k in 1:2) out[5 + 2 * k + 0:1] <- summary(f, rmean = taus[k])$table[c("rmean", "se(rmean)")]
  out
}
# Monotone: at the times when both arms were at risk, events fell in one of them only.
direction <- function(d) {
  both <- sapply(d$time, function(t) length(unique(d$other[d$time >= t])) == 2)
  hit <- d$other[both & d$event == 1]
  # The last stage of a tie (Efron) may leave one arm only, but its first stage sees both.
  if (!length(hit)) return(NA)
  if (all(hit == 1)) Inf else if (all(hit == 0)) -Inf else 0
}
contrast <- function(d) {
  out <- c(score = NA_real_, variance = NA, chi2 = NA, peto = NA, log_hr = NA, se = NA, c_arm = NA, c_marker = NA)
  s <- quiet(survdiff(Surv(time, event) ~ other, d))
  if (!is.null(s)) {
    out[1:2] <- c(s$obs[2] - s$exp[2], s$var[2, 2])
    if (s$var[2, 2] > 1e-12) {
      out["chi2"] <- s$chisq
      out["peto"] <- survdiff(Surv(time, event) ~ other, d, rho = 1)$chisq
    }
  }
  out["log_hr"] <- direction(d)
  if (!is.na(out["log_hr"])) {
    m <- suppressWarnings(coxph(Surv(time, event) ~ other, d, ties = "efron", control = tight))
    if (out["log_hr"] == 0) out[c("log_hr", "se")] <- c(coef(m), sqrt(vcov(m)[1, 1]))
    else stopifnot(abs(coef(m)) > 10, sign(coef(m)) == sign(out["log_hr"]))
  }
  for (x in c("other", "marker")) {
    k <- quiet(concordance(as.formula(paste("Surv(time, event) ~", x)), d, reverse = TRUE))
    if (!is.null(k)) out[paste0("c_", sub("other", "arm", x))] <- k$concordance
  }
  out
}
incidence <- function(d, at) {
  out <- setNames(rep(NA_real_, 6), paste0("i", rep(1:2, each = 3), "_", 1:3))
  o <- quiet(cuminc(d$time, d$code))
  if (!is.null(o)) {
    est <- timepoints(o, unique(at))$est
    for (row in rownames(est)) out[paste0("i", sub("1 ", "", row), "_", 1:3)] <- est[row, match(at, unique(at))]
  }
  out
}

all <- read.csv("cohorts.csv"); all$event <- as.integer(all$code > 0)
rows <- lapply(split(all, all$cohort), function(d) {
  t <- sort(d$time); n <- length(t); at <- t[c(ceiling(n / 4), ceiling(n / 2), n)]
  taus <- c(max(at[2], tapply(d$time, d$other, min)), at[3])
  c(cohort = d$cohort[1], curves(d[d$other == 0, ], at, taus, "reference"), curves(d[d$other == 1, ], at, taus, "other"),
    contrast(d), incidence(d, at))
})
found <- as.data.frame(do.call(rbind, rows))
text <- sapply(found, function(x) ifelse(is.na(x), "", trimws(formatC(x, digits = 15, format = "g"))))
out <- gzfile("batch_reference.csv.gz", "w", compression = 9)
write.table(text, out, sep = ",", quote = FALSE, row.names = FALSE); close(out)
cat(nrow(found), "cohorts,", sum(!is.na(found)), "numbers\n")
